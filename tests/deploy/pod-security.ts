/** Kubernetes' "restricted" pod security standard, as far as a pod template can keep or break it. */

export interface Container {
  name: string;
  restartPolicy?: string;
  image?: string;
  env?: { name: string; value?: string; valueFrom?: unknown }[];
  securityContext?: {
    privileged?: boolean;
    allowPrivilegeEscalation?: boolean;
    readOnlyRootFilesystem?: boolean;
    capabilities?: { drop?: string[]; add?: string[] };
  };
  resources?: { requests?: object };
  startupProbe?: object;
  livenessProbe?: object;
  readinessProbe?: object;
  ports?: { hostPort?: number }[];
}

export interface PodSpec {
  containers: Container[];
  initContainers?: Container[];
  volumes?: Record<string, unknown>[];
  hostNetwork?: boolean;
  hostPID?: boolean;
  hostIPC?: boolean;
  shareProcessNamespace?: boolean;
  enableServiceLinks?: boolean;
  automountServiceAccountToken?: boolean;
  terminationGracePeriodSeconds?: number;
  securityContext?: {
    runAsNonRoot?: boolean;
    runAsUser?: number;
    seccompProfile?: { type?: string };
  };
}

const VOLUMES = new Set([
  "configMap",
  "csi",
  "downwardAPI",
  "emptyDir",
  "ephemeral",
  "persistentVolumeClaim",
  "projected",
  "secret",
]);

/** Everything that is against it; empty: nothing. The read-only root is our own demand. */
export function breaches(spec: PodSpec): string[] {
  const found: string[] = [];
  const must = (holds: boolean, text: string): void => void (holds || found.push(text));
  const pod = spec.securityContext ?? {};
  must(!spec.hostNetwork && !spec.hostPID && !spec.hostIPC, "uses the host's namespaces");
  must(pod.runAsNonRoot === true && (pod.runAsUser ?? 0) > 0, "may run as root");
  must(pod.seccompProfile?.type === "RuntimeDefault", "has no seccomp profile");
  for (const { name: _, ...source } of spec.volumes ?? []) {
    must(
      Object.keys(source).every((kind) => VOLUMES.has(kind)),
      `has a volume of ${Object.keys(source).join()}`,
    );
  }
  for (const { name, securityContext: own = {}, ports = [] } of [
    ...spec.containers,
    ...(spec.initContainers ?? []),
  ]) {
    must(own.privileged !== true, `${name} is privileged`);
    must(own.allowPrivilegeEscalation === false, `${name} may gain privileges`);
    must(own.readOnlyRootFilesystem === true, `${name} may write its root`);
    must(own.capabilities?.drop?.includes("ALL") === true, `${name} keeps capabilities`);
    must((own.capabilities?.add ?? []).length === 0, `${name} adds capabilities`);
    must(
      ports.every(({ hostPort }) => hostPort === undefined),
      `${name} takes a port of the host`,
    );
  }
  return found;
}
