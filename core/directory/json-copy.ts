/** Copies of what is JSON, or nothing, for a directory that must not share what it is handed and hands out. */
export function jsonCopy<Value>(value: Value): Value {
  return value === undefined ? value : (JSON.parse(JSON.stringify(value)) as Value);
}
