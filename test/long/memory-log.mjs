// Loaded before a gateway: writes down what memory its process takes, four times a second.
import { appendFileSync } from 'node:fs';

const path = process.env.MEMORY_LOG;
setInterval(() => {
  const { rss, heapUsed, external } = process.memoryUsage();
  appendFileSync(path, `${JSON.stringify({ rss, heapUsed, external })}\n`);
}, 250).unref();
