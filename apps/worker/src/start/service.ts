/** Anything long-lived is a Service: started in the order of one list, stopped in reverse, safe to stop twice. */
export interface Service extends AsyncDisposable {
  readonly name: string;
  start(signal: AbortSignal): Promise<void>;
}

/** If a service fails to start, those before it are stopped; the error is passed on. */
export async function startAll(
  services: readonly Service[],
  signal: AbortSignal,
): Promise<AsyncDisposableStack> {
  await using stack = new AsyncDisposableStack();
  for (const service of services) {
    await service.start(signal);
    stack.use(service);
  }
  return stack.move();
}
