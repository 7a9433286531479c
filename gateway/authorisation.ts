/** Who is asking: an API key or the holder of a join token, each counted against the rate limit of its key. */
import type { Context } from "hono";
import type { Directory } from "../core/directory/directory.ts";
import { type Credentials, credentialsOf, verifyApiKey } from "./api-keys.ts";
import type { CheckedJoinToken, JoinTokenVerifier } from "./join-tokens.ts";
import { countRequest } from "./limits.ts";
import { ProblemError } from "./problem.ts";
import type { CallerLimit } from "./rate-limit.ts";

const HOW_TO_JOIN = "send `Authorization: Bearer <join token>`";

export class Authorisation {
  readonly #keys: ReadonlyMap<string, string>;
  readonly #tokens: JoinTokenVerifier;
  readonly #directory: Directory;
  readonly #perKey: CallerLimit | undefined;
  readonly #guests: boolean;

  constructor(options: {
    keys: ReadonlyMap<string, string>;
    tokens: JoinTokenVerifier;
    directory: Directory;
    perKey: CallerLimit | undefined;
    /** True: whoever is in a room may say what becomes of it, for nobody is admin here. */
    guests: boolean;
  }) {
    this.#keys = options.keys;
    this.#tokens = options.tokens;
    this.#directory = options.directory;
    this.#perKey = options.perKey;
    this.#guests = options.guests;
  }

  /** Id of the API key. Throws ProblemError. */
  async apiKey(c: Context): Promise<string> {
    return this.#key(c, credentialsOf(c.req.header("authorization")));
  }

  /**
   * A join token for this room, whose holder was not removed, and what `alongside` finds: that is begun once the token is known to be
   * good, beside the question whether its holder was removed, since the directory may be far away. Throws ProblemError.
   */
  async joinToken<T>(
    c: Context,
    room: string,
    alongside: () => Promise<T>,
  ): Promise<{ token: CheckedJoinToken; found: T }> {
    const token = await this.#verified(c, credentialsOf(c.req.header("authorization"), HOW_TO_JOIN), room);
    const [found] = await Promise.all([alongside(), this.#refuseRemoved(room, token)]);
    return { token, found };
  }

  /** An API key, or a join token that makes its holder an admin of this room. Throws ProblemError. */
  async roomAdmin(c: Context, room: string): Promise<void> {
    const credentials = credentialsOf(c.req.header("authorization"));
    if (credentials.kind === "key") {
      await this.#key(c, credentials);
      return;
    }
    const { claims } = await this.#token(c, credentials, room);
    if (!claims.grants.admin) {
      throw new ProblemError(
        "admin-required",
        "Removing others takes a join token with grants.admin, or an API key: ask the application for one.",
      );
    }
  }

  /**
   * Whose outputs, ingests and recordings the caller may see and change: all (undefined) with an API key, those of one
   * room with a join token of an admin, or of anybody in it where guests are taken. `asked`: a room that they name.
   * Throws ProblemError.
   */
  async operator(c: Context, asked?: string): Promise<{ room: string | undefined }> {
    const credentials = credentialsOf(c.req.header("authorization"));
    if (credentials.kind === "key") {
      await this.#key(c, credentials);
      return { room: undefined };
    }
    const { claims } = await this.#token(c, credentials, this.#tokens.roomClaimedBy(credentials.token));
    if (!claims.grants.admin && !this.#guests) {
      throw new ProblemError(
        "admin-required",
        "Outputs, ingests and recordings take a join token with grants.admin, or an API key: ask the application for one.",
      );
    }
    if (asked !== undefined && asked !== claims.room) {
      throw new ProblemError(
        "token-other-room",
        `The join token is for the room ${claims.room}: ask for one for ${asked}.`,
      );
    }
    return { room: claims.room };
  }

  /** The same for one room. Throws ProblemError. */
  async operatorOf(c: Context, room: string): Promise<void> {
    await this.operator(c, room);
  }

  async #key(c: Context, credentials: Credentials): Promise<string> {
    const id = await verifyApiKey(this.#keys, credentials);
    await countRequest(c, this.#perKey, "key", id);
    return id;
  }

  async #token(c: Context, credentials: Credentials, room: string): Promise<CheckedJoinToken> {
    const token = await this.#verified(c, credentials, room);
    await this.#refuseRemoved(room, token);
    return token;
  }

  async #verified(c: Context, credentials: Credentials, room: string): Promise<CheckedJoinToken> {
    if (credentials.kind === "key") {
      throw new ProblemError(
        "token-malformed",
        "An API key does not join: make a join token with POST /v1/rooms/{room}/tokens and send that.",
      );
    }
    const token = await this.#tokens.verify(credentials.token, room);
    await countRequest(c, this.#perKey, "key", token.keyId ?? `jwks ${token.claims.iss}`);
    return token;
  }

  async #refuseRemoved(room: string, { name }: CheckedJoinToken): Promise<void> {
    if (!(await this.#directory.isBanned(room, name))) return;
    throw new ProblemError(
      "removed",
      "An admin removed you from this room, and this join token does not let you back in.",
    );
  }
}
