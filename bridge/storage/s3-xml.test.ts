import { expect, it } from "vitest";
import { elementsOf, escaped, textOf } from "./s3-xml.ts";
import { bytesOf } from "./storage.contract.ts";

it("reads elements by name, in order", () => {
  const xml = "<R><Part><N>1</N></Part><PartNumber>9</PartNumber><Part><N>2</N></Part></R>";
  expect(elementsOf(xml, "Part").map((part) => textOf(part, "N"))).toEqual(["1", "2"]);
  expect(textOf(xml, "Missing")).toBe("");
  expect(elementsOf("<A><A>", "A")).toEqual([]);
});

it("what was escaped is read as it was", () => {
  const text = `"a" & <b> 'c' ü \u{1f600}`;
  expect(textOf(`<K>${escaped(text)}</K>`, "K")).toBe(text);
  expect(textOf("<K>&lt;&gt;&amp;&quot;&apos;&#x41;&#66;&nope;&#x110000;</K>", "K")).toBe(
    `<>&"'AB&nope;&#x110000;`,
  );
});

it("fuzzed answers take no long and throw nothing", () => {
  const pieces = ["<Key>", "</Key>", "<", ">", "&", ";", "&#", "x", "<Key", "lt", "\0", "99999999"];
  const random = bytesOf(40 * Number(process.env.FUZZ ?? 500), 5);
  for (let i = 0; i + 40 <= random.length; i += 40) {
    const xml = [...random.subarray(i, i + 40)].map((byte) => pieces[byte % pieces.length]).join("");
    for (const element of elementsOf(xml, "Key")) expect(element).not.toContain("</Key>");
    expect(textOf(xml, "Key").length).toBeLessThanOrEqual(xml.length);
  }
  expect(elementsOf("<Key>".repeat(200_000), "Key")).toEqual([]);
  expect(elementsOf(`${"<Key>".repeat(100_000)}</Key>`.repeat(2), "Key")).toHaveLength(2);
});
