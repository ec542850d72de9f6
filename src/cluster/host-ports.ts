/** Ports of nodes that Pods take: by `hostPort`, or all of their own where they are on the host network. */
import type { PodShape } from '../kube/resources.ts';

/** As `8080/TCP`. */
export const hostPortsOf = ({ hostNetwork, ports }: PodShape): readonly string[] =>
  ports.flatMap(({ containerPort, hostPort = hostNetwork ? containerPort : undefined, protocol }) =>
    hostPort === undefined ? [] : [`${hostPort}/${protocol}`],
  );
