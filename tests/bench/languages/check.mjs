// The check in Node.js, with its own module.
import { get } from "node:http";

const [port, release] = process.argv.slice(2);
get({ host: "127.0.0.1", port, path: "/up", timeout: 5000, agent: false }, (answer) => {
  answer.resume();
  process.exitCode = answer.statusCode === 200 && answer.headers["x-release"] === release ? 0 : 1;
});
