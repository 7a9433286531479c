/**
 * Signatures as published: the "get-vanilla" suite of AWS Signature Version 4, and the examples of "Authenticating Requests: Using the
 * Authorization Header" in the S3 API reference. Inputs and signatures are quoted as data.
 */
import { AwsV4Signer } from "aws4fetch";
import { expect, test } from "vitest";
import { HandClock } from "../recording/testing/hand-clock.ts";
import { S3Client } from "./s3-client.ts";

const SUITE = {
  accessKeyId: "AKIDEXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
  service: "service",
  region: "us-east-1",
  datetime: "20150830T123600Z",
};
const HOST = "https://example.amazonaws.com";

const suite: [
  name: string,
  request: ConstructorParameters<typeof AwsV4Signer>[0] | object,
  signature: string,
][] = [
  ["get-vanilla", { url: `${HOST}/` }, "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"],
  [
    "get-vanilla-query-order-key-case",
    { url: `${HOST}/?Param2=value2&Param1=value1` },
    "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
  ],
  [
    "get-unreserved",
    { url: `${HOST}/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz` },
    "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
  ],
  [
    "get-utf8",
    { url: `${HOST}/\u1234`, singleEncode: true },
    "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85",
  ],
  [
    "get-header-value-trim",
    { url: `${HOST}/`, headers: { "My-Header1": " value1", "My-Header2": ' "a   b   c"' } },
    "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
  ],
  [
    "post-vanilla",
    { url: `${HOST}/`, method: "POST" },
    "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
  ],
  [
    "post-x-www-form-urlencoded",
    {
      url: `${HOST}/`,
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: "Param1=value1",
      allHeaders: true,
    },
    "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
  ],
  [
    "post-sts-header-before",
    {
      url: `${HOST}/`,
      method: "POST",
      sessionToken:
        "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==",
    },
    "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead",
  ],
];

for (const [name, request, signature] of suite) {
  test(`Signature Version 4 suite: ${name}`, async () => {
    const signer = new AwsV4Signer({ ...SUITE, ...(request as { url: string }) });
    expect(await signer.signature()).toBe(signature);
  });
}

const EXAMPLE = {
  endpoint: "https://s3.amazonaws.com",
  region: "us-east-1",
  bucket: "examplebucket",
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  pathStyle: false,
};

function client(access: Partial<typeof EXAMPLE> & { sessionToken?: string } = {}): S3Client {
  const clock = new HandClock(Date.UTC(2013, 4, 24) * 1000);
  return new S3Client({ access: { ...EXAMPLE, ...access }, clock, random: () => 0.5, fetch });
}

const signatureOf = (request: Request): string | undefined =>
  request.headers.get("authorization")?.match(/Signature=(\w+)$/)?.[1];

test("S3 reference: GET Bucket Lifecycle, by our client", async () => {
  const request = await client().sign({ method: "GET", key: "", query: { lifecycle: "" } });
  expect(request.url).toBe("https://examplebucket.s3.amazonaws.com/?lifecycle=");
  expect(signatureOf(request)).toBe("fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
});

test("S3 reference: Get Bucket (List Objects), by our client", async () => {
  const request = await client().sign({ method: "GET", key: "", query: { "max-keys": "2", prefix: "J" } });
  expect(signatureOf(request)).toBe("34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
});

test("S3 reference: GET Object with a range and PUT Object, whose examples sign headers that ours need not", async () => {
  const common = {
    accessKeyId: EXAMPLE.accessKeyId,
    secretAccessKey: EXAMPLE.secretAccessKey,
    service: "s3",
    region: "us-east-1",
    datetime: "20130524T000000Z",
    allHeaders: true,
  };
  const get = new AwsV4Signer({
    ...common,
    url: "https://examplebucket.s3.amazonaws.com/test.txt",
    headers: {
      range: "bytes=0-9",
      "x-amz-content-sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    },
  });
  expect(await get.signature()).toBe("f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
  const put = new AwsV4Signer({
    ...common,
    method: "PUT",
    url: "https://examplebucket.s3.amazonaws.com/test$file.text",
    headers: {
      date: "Fri, 24 May 2013 00:00:00 GMT",
      "x-amz-storage-class": "REDUCED_REDUNDANCY",
      "x-amz-content-sha256": "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
    },
  });
  expect(await put.signature()).toBe("98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
});

test("a body's hash and a session token are signed; keys go into path or host", async () => {
  const body = new TextEncoder().encode("Welcome to Amazon S3.");
  const request = await client({ pathStyle: true, sessionToken: "a+token/" }).sign({
    method: "PUT",
    key: "a/b.mp4",
    body,
  });
  expect(request.url).toBe("https://s3.amazonaws.com/examplebucket/a/b.mp4");
  expect(request.headers.get("x-amz-content-sha256")).toBe(
    "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
  );
  expect(request.headers.get("authorization")).toContain(
    "SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token,",
  );
});
