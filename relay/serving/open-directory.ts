/** The directory of a relay that is a process of its own: the etcd of its settings, or one of its own. */
import { EtcdDirectory } from "../../core/directory/etcd/etcd-directory.ts";
import { httpPost } from "../../core/directory/etcd/http-post.ts";
import { MemoryDirectory } from "../../core/directory/memory.ts";
import { MetricsText } from "../metrics-text.ts";
import { systemClock } from "./clock.ts";
import type { RelayConfig } from "./relay-config.ts";
import type { RelaySettings } from "./relay-settings.ts";

/** The directory, and what it counts. */
export function openDirectory(
  { etcd }: RelaySettings,
  log: (line: string) => void,
): Pick<RelayConfig, "directory" | "furtherMetrics"> {
  if (etcd === undefined) return { directory: new MemoryDirectory(systemClock) };
  const directory = new EtcdDirectory({
    settings: etcd,
    post: httpPost(fetch, () => new AbortController()),
    clock: systemClock,
    random: Math.random,
    log,
  });
  directory.follow();
  const furtherMetrics = (): string => {
    const text = new MetricsText();
    text.counter(
      "tributary_etcd_values_skipped_total",
      "Values in etcd that were passed over because they are not Tributary's.",
      directory.skippedValues,
    );
    return text.toString();
  };
  return { directory, furtherMetrics };
}
