/** The error a promise will end in, for asserting later; a promise that succeeds gives an error that says so. */
export async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  return new Error("nothing was rejected");
}
