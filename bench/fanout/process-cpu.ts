/** CPU time that the kernel has charged to a process (proc(5), /proc/pid/stat fields 14 and 15). Linux only. */
import { readdirSync, readFileSync } from "node:fs";

/** USER_HZ: 100 on every Linux that these benchmarks meet. */
const TICKS_PER_SECOND = 100;

export function cpuSecondsOf(pid: number): number {
  return look(pid).cpuSeconds;
}

/** Of all processes of a process group together; one that ends takes its time with it. */
export function cpuSecondsOfGroup(group: number): number {
  let sum = 0;
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const process = look(Number(name));
      if (process.group === group) sum += process.cpuSeconds;
    } catch (error) {
      // It has ended since the folder was read.
      if (!["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    }
  }
  return sum;
}

function look(pid: number): { group: number; cpuSeconds: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The command name may hold spaces; fields are counted from behind its closing parenthesis.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return {
    group: Number(fields[2]),
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
  };
}
