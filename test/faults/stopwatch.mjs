import { subscribe } from 'node:diagnostics_channel';
import { writeFileSync } from 'node:fs';

/**
 * Preloaded by the gateway: writes the status of each answer and the milliseconds since its request came as
 * JSON, to the file that STOPWATCH names, when the process ends.
 */
const arrivals = new WeakMap();
const answers = [];

subscribe('http.server.request.start', ({ response }) => arrivals.set(response, performance.now()));
subscribe('http.server.response.finish', ({ response }) => {
  answers.push([response.statusCode, performance.now() - arrivals.get(response)]);
});
process.on('exit', () => writeFileSync(process.env.STOPWATCH, JSON.stringify(answers)));
