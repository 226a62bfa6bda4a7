// `benchmarks/worker.py` for Node.
import { writeSync } from "node:fs";
import { createInterface } from "node:readline";

const [pipe, module] = process.argv.slice(2);
const { handler } = await import(module);
const context = { functionName: "benchmark", awsRequestId: "request", getRemainingTimeInMillis: () => 15_000 };

const cpu = () => { const { user, system } = process.cpuUsage(); return user + system; };

const write = (text) => {
  let rest = Buffer.from(text);
  while (rest.length) rest = rest.subarray(writeSync(Number(pipe), rest));
};

for await (const line of createInterface({ input: process.stdin })) {
  const [, event] = JSON.parse(line);
  const [used, started] = [cpu(), process.hrtime.bigint()];
  const response = await handler(event, context);
  const milliseconds = Number(process.hrtime.bigint() - started) / 1e6;
  write(JSON.stringify({ response, milliseconds, cpu: (cpu() - used) / 1e3 }) + "\n");
}
process.exit();
