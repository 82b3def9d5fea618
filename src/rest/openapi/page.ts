import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { type Page, sealPage } from '../../page.js';

/** Swagger UI as one page that loads nothing but the document, which lies beside it. */
export async function renderPage(): Promise<Page> {
  const [script, style] = await Promise.all(['swagger-ui-bundle.js', 'swagger-ui.css'].map(readPart));
  return sealPage(
    `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Context gateway: REST API</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<div id="page"></div>
<script>${script}</script>
<script>${start}</script>
</body>
</html>
`,
    {},
  );
}

const { resolve } = createRequire(import.meta.url);

async function readPart(name: string): Promise<string> {
  const text = await readFile(resolve(`@fastify/swagger-ui/static/${name}`), 'utf8');
  // It would end the element that it stands in; in a string it means the same.
  return text.replaceAll('</script', '<\\/script');
}

/** No validator: that would be another host's. */
const start = `
SwaggerUIBundle({
  url: 'openapi.json',
  dom_id: '#page',
  deepLinking: true,
  docExpansion: 'none',
  validatorUrl: null,
  queryConfigEnabled: false,
});
`;
