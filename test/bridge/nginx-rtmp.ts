/** nginx with its RTMP module (Debian's libnginx-mod-rtmp) as a target of one's own: a free port, a folder of its own, killed and started again as a test needs it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const MODULE = "/usr/lib/nginx/modules/ngx_rtmp_module.so";
const START_TIMEOUT_MS = 10_000;

export class NginxRtmp {
  readonly port: number;
  readonly folder: string;
  #child: ChildProcess | undefined;

  private constructor(port: number, folder: string) {
    this.port = port;
    this.folder = folder;
  }

  static async start(): Promise<NginxRtmp> {
    const nginx = new NginxRtmp(await freePort(), await mkdtemp(join(tmpdir(), "tributary-nginx-")));
    await mkdir(join(nginx.folder, "recorded"));
    await writeFile(join(nginx.folder, "nginx.conf"), nginx.#configuration());
    await nginx.restart();
    return nginx;
  }

  /** Application `live`: plays to whoever asks. `recorded`: writes each stream to a file as well. */
  url(key: string, application: "live" | "recorded" = "live"): string {
    return `rtmp://127.0.0.1:${this.port}/${application}/${key}`;
  }

  recording(key: string): string {
    return join(this.folder, "recorded", `${key}.flv`);
  }

  /** Resolves when it takes connections. */
  async restart(): Promise<void> {
    const args = ["-p", this.folder, "-c", "nginx.conf", "-e", "error.log"];
    const child = spawn("/usr/sbin/nginx", args, { stdio: "ignore" });
    this.#child = child;
    const lastMs = performance.now() + START_TIMEOUT_MS;
    while (!(await answers(this.port))) {
      if (child.exitCode !== null || performance.now() > lastMs) {
        throw new Error(`nginx did not start: ${await readFile(join(this.folder, "error.log"), "utf8")}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** At once, without a goodbye to anybody. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  }

  async stop(): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }

  #configuration(): string {
    return `
      load_module ${MODULE};
      daemon off;
      master_process off;
      pid nginx.pid;
      error_log error.log warn;
      events { worker_connections 64; }
      rtmp {
        server {
          listen 127.0.0.1:${this.port};
          application live { live on; }
          application recorded {
            live on;
            record all;
            record_path ${join(this.folder, "recorded")};
          }
        }
      }`;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  if (address === null || typeof address === "string") throw new Error("no port is free");
  return address.port;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true));
    socket.once("error", () => resolve(false));
    socket.once("close", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}
