/** The far end on Node: TCP alone. */
import { serveFarEnd } from "./far-end.ts";

await serveFarEnd("");
