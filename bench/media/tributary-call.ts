export async function openTributaryCall(..._args: any[]): Promise<any> {
  throw new Error("not yet");
}
