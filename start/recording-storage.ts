/** Where recordings are kept, by the environment: files in a folder, or an S3-compatible service with that folder as its spool. */
import type { JobLog } from "../bridge/jobs/running-job.ts";
import { FileStorage } from "../bridge/node/file-storage.ts";
import { S3Storage } from "../bridge/storage/s3-storage.ts";
import type { Storage } from "../bridge/storage/storage.ts";
import { systemClock } from "../relay/serving/clock.ts";

type Environment = Readonly<Record<string, string | undefined>>;

export interface S3Settings {
  endpoint: string;
  bucket: string;
  region: string;
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
  pathStyle: boolean;
}

/** `message` is one line that names the variable. */
export class StorageSettingsError extends Error {
  override readonly name = "StorageSettingsError";
}

/** Undefined: no S3 is set. Throws StorageSettingsError. */
export function readS3Settings(env: Environment): S3Settings | undefined {
  const { BRIDGE_S3_ENDPOINT: endpoint, BRIDGE_S3_BUCKET: bucket } = env;
  if (!endpoint && !bucket) return undefined;
  if (!endpoint || !URL.canParse(endpoint) || !/^https?:$/.test(new URL(endpoint).protocol)) {
    throw new StorageSettingsError(
      "BRIDGE_S3_ENDPOINT is not a URL: give it without the bucket, e.g. https://s3.eu-central-1.amazonaws.com",
    );
  }
  if (!bucket || !/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) {
    throw new StorageSettingsError(
      "BRIDGE_S3_BUCKET is not the name of a bucket: 3 to 63 of a-z, 0-9, . and -",
    );
  }
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = env;
  if (!accessKeyId || !secretAccessKey) {
    throw new StorageSettingsError(
      "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set: recordings cannot be written to S3 without them",
    );
  }
  return {
    endpoint: endpoint.replace(/\/+$/, ""),
    bucket,
    region: env.AWS_REGION || "us-east-1",
    accessKeyId,
    secretAccessKey,
    ...(env.AWS_SESSION_TOKEN ? { sessionToken: env.AWS_SESSION_TOKEN } : {}),
    pathStyle: env.BRIDGE_S3_PATH_STYLE === "1",
  };
}

/** Rejects with StorageError when the folder cannot be read. */
export async function openRecordingStorage(
  folder: string,
  s3: S3Settings | undefined,
  log: JobLog,
): Promise<Storage> {
  const files = new FileStorage({ root: folder });
  if (s3 === undefined) return files;
  const { endpoint, bucket, region, pathStyle, ...credentials } = s3;
  return S3Storage.open({
    endpoint,
    bucket,
    region,
    pathStyle,
    credentials: () => credentials,
    send: (url, init) => fetch(url, init),
    clock: systemClock,
    random: Math.random,
    spool: files,
    onProblem: (error) => {
      if (error === undefined) log("info", "S3 takes recordings again");
      else log("error", error.message);
    },
  });
}
