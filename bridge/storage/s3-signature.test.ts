/**
 * Signatures against what AWS has published: the Signature Version 4 test suite (credentials AKIDEXAMPLE, service "service") and the examples of
 * "Authenticating Requests: Using the Authorization Header (AWS Signature Version 4)" in the S3 documentation.
 */
import { AwsV4Signer } from "aws4fetch";
import { describe, expect, it } from "vitest";
import { S3Client, type S3Request } from "./s3-client.ts";

const SUITE = {
  accessKeyId: "AKIDEXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
  service: "service",
  region: "us-east-1",
  datetime: "20150830T123600Z",
};

const DOCUMENTATION = {
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
};
/** 24 May 2013, 00:00:00 GMT. */
const DOCUMENTATION_US = Date.UTC(2013, 4, 24) * 1000;
const EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

describe("the Signature Version 4 test suite", () => {
  it.each([
    ["get-vanilla", "GET", "/", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"],
    [
      "get-vanilla-query-order-key-case",
      "GET",
      "/?Param2=value2&Param1=value1",
      "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    ],
    ["get-utf8", "GET", "/\u1234", "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"],
    ["post-vanilla", "POST", "/", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"],
  ])("%s", async (_, method, path, signature) => {
    const signer = new AwsV4Signer({
      ...SUITE,
      method,
      url: `https://example.amazonaws.com${path}`,
      singleEncode: true,
    });
    expect(await signer.authHeader()).toBe(
      `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=${signature}`,
    );
  });
});

describe("the examples of the S3 documentation", () => {
  const examples: [string, S3Request, string, string][] = [
    [
      "PUT Object",
      {
        method: "PUT",
        key: "test$file.text",
        headers: { date: "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY" },
        body: new TextEncoder().encode("Welcome to Amazon S3."),
      },
      "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
      "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
    ],
    [
      "GET Bucket Lifecycle",
      { method: "GET", key: "", query: { lifecycle: "" } },
      "host;x-amz-content-sha256;x-amz-date",
      "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
    ],
    [
      "GET Bucket (List Objects)",
      { method: "GET", key: "", query: { "max-keys": "2", prefix: "J" } },
      "host;x-amz-content-sha256;x-amz-date",
      "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
    ],
  ];

  it.each(examples)("%s, as our client sends it", async (_, request, signedHeaders, signature) => {
    const sent: { url: string; headers: Headers }[] = [];
    const client = new S3Client({
      endpoint: "https://s3.amazonaws.com",
      bucket: "examplebucket",
      region: "us-east-1",
      credentials: () => DOCUMENTATION,
      pathStyle: false,
      send: async (url, init) => {
        sent.push({ url, headers: new Headers(init.headers) });
        return new Response(null);
      },
      clock: { nowUs: () => DOCUMENTATION_US, after: () => ({ cancel: () => undefined }) },
      random: () => 0,
    });
    await client.request(request);
    expect(new URL(sent[0]!.url).host).toBe("examplebucket.s3.amazonaws.com");
    expect(sent[0]!.headers.get("authorization")).toBe(
      `AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders=${signedHeaders}, Signature=${signature}`,
    );
  });

  it("GET Object, whose Range header is signed too", async () => {
    const signer = new AwsV4Signer({
      ...DOCUMENTATION,
      url: "https://examplebucket.s3.amazonaws.com/test.txt",
      headers: { range: "bytes=0-9", "x-amz-content-sha256": EMPTY_SHA256 },
      service: "s3",
      region: "us-east-1",
      datetime: "20130524T000000Z",
      allHeaders: true,
    });
    expect(await signer.signature()).toBe("f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
  });
});
