/** What routes have in common that an API key or an admin of a room may call (Authorisation.operator). */
import type { ProblemName } from "./problem.ts";

export const operatorSecurity = [{ apiKey: [] }, { apiKeyBasic: [] }, { joinToken: [] }];

export const operatorProblems = [
  "invalid-request",
  "credentials-missing",
  "key-refused",
  "token-malformed",
  "token-expired",
  "token-refused",
  "token-other-room",
  "admin-required",
  "removed",
  "bridges-off",
  "rate-limited",
  "keys-unavailable",
  "directory-unavailable",
] as const satisfies ProblemName[];
