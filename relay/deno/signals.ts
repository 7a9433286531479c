/** The signals that end a program on Deno. */
import { onSignals } from "../serving/signals.ts";

export const onDenoSignals = onSignals((signal, hear) => Deno.addSignalListener(signal, hear));
