/** Why a relay cannot start: one line that says what to do. */

export class RelayStartError extends Error {
  override readonly name = "RelayStartError";
}

/** What is wrong with a port, as a runtime's error has it. */
export type PortFault = "taken" | "elsewhere" | "forbidden";

/** A port of ours, and the settings that name it. */
export interface PortNames {
  /** "UDP port 4433 of 0.0.0.0" */
  what: string;
  port: string;
  host: string;
  /** Of the certificate, where it may be at fault; "" = it has none. */
  pem: string;
}

/** The error of opening a port, for people. */
export function portError(
  cause: unknown,
  fault: PortFault | undefined,
  { what, port, host, pem }: PortNames,
): RelayStartError {
  switch (fault) {
    case "taken":
      return new RelayStartError(`${what} is taken: stop what uses it or set ${port} to another.`, { cause });
    case "elsewhere":
      return new RelayStartError(`${what} cannot be used: set ${host} to an address of this machine.`, {
        cause,
      });
    case "forbidden":
      return new RelayStartError(`${what} is not allowed to us: set ${port} to 1024 or more.`, { cause });
    case undefined: {
      const advice = pem === "" ? "" : ` If the certificate is at fault, look at ${pem}.`;
      return new RelayStartError(`${what} cannot be served: ${describe(cause)}.${advice}`, { cause });
    }
  }
}

export function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
