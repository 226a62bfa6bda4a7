import {
  createServer,
  request as ask,
  type IncomingHttpHeaders,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";

/** What goes wrong with a request: before it arrives, on the response's way, or by a response. */
export type Fault = "refused" | "lost" | "cut" | Reply;

interface Reply {
  status: number;
  headers?: Record<string, string>;
  body?: string;
}

interface Seen {
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
}

/** Stands before the API and lets requests fail, one fault each, until there are none left. */
export class Proxy {
  readonly seen: Seen[] = [];
  faults: Fault[] = [];
  /** Requests that come now go on when it is settled. */
  held: Promise<unknown> | undefined;
  private readonly server = createServer();

  async start(target: string): Promise<string> {
    this.server.on("request", async (request, response) => {
      const { method = "", url = "", headers } = request;
      this.seen.push({ method, url, headers });
      const fault = this.faults.shift();
      const { held } = this;
      const body = Buffer.concat(await request.toArray());
      await held;
      if (fault === "refused") response.destroy();
      else if (typeof fault === "object") replyWith(response, fault);
      else {
        const forwarded = await forward(target + url, method, headers, body);
        if (fault === "lost") response.destroy();
        else if (fault === "cut") cut(response, forwarded);
        else response.writeHead(forwarded.status, forwarded.headers).end(forwarded.body);
      }
    });
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

function replyWith(response: ServerResponse, { status, headers = {}, body = "" }: Reply): void {
  response.writeHead(status, headers).end(body);
}

function cut(response: ServerResponse, forwarded: Forwarded): void {
  response.writeHead(forwarded.status, forwarded.headers);
  response.write(forwarded.body.subarray(0, forwarded.body.length / 2), () => response.destroy());
}

interface Forwarded {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

function forward(
  url: string,
  method: string,
  headers: IncomingHttpHeaders,
  body: Buffer,
): Promise<Forwarded> {
  return new Promise((resolve, reject) => {
    const request = ask(url, { method, headers, agent: false }, async (incoming) => {
      const content = Buffer.concat(await incoming.toArray());
      resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: content });
    });
    request.on("error", reject).end(body);
  });
}
