/** CPU time that the kernel has charged to a process (proc(5), /proc/pid/stat fields 14 and 15). Linux only. */
import { readFileSync } from "node:fs";

/** USER_HZ: 100 on every Linux that these benchmarks meet. */
const TICKS_PER_SECOND = 100;

export function cpuSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The command name may hold spaces; fields are counted from behind its closing parenthesis.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}
