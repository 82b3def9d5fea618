import { execFile } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { project } from '../process.js';
import { readDockerfile, type Stage } from './dockerfile.js';

/** What the Dockerfile makes: its last stage, with the root of its file system in `root`. */
export type Image = { folder: string; root: string; workdir: string; stage: Stage };

/**
 * Does what `docker build` does, as far as that can be done without: each stage in a folder of its own, with the
 * programs of this machine in place of the base image's.
 */
export async function replayDockerfile(): Promise<Image> {
  const folder = await mkdtemp(join(tmpdir(), 'context-gateway-image-'));
  const context = await makeContext(folder);
  const stages = readDockerfile(await readFile(join(project, 'Dockerfile'), 'utf8'));
  let image: Image | undefined;
  for (const stage of stages) {
    const root = join(folder, stage.name);
    await mkdir(root);
    image = { folder, root, workdir: await replayStage(stage, { folder, root, context }), stage };
  }
  if (!image) throw new Error('the Dockerfile has no stage');
  // Whoever runs it can read it, as in an image, and nothing else.
  await chmod(folder, 0o755);
  return image;
}

type Place = { folder: string; root: string; context: string };

async function replayStage({ instructions }: Stage, place: Place): Promise<string> {
  let workdir = '/';
  for (const { name, text } of instructions) {
    if (name === 'WORKDIR') {
      workdir = text;
      await mkdir(join(place.root, workdir), { recursive: true });
    } else if (name === 'COPY') await copy(text, workdir, place);
    else if (name === 'RUN') await run(text, join(place.root, workdir));
  }
  return workdir;
}

/** A folder's contents are copied, a file goes into a folder that is named with a slash at its end. */
async function copy(text: string, workdir: string, { folder, root, context }: Place): Promise<void> {
  const words = text.split(/\s+/);
  const from = words[0]?.startsWith('--from=') ? words.shift()?.slice('--from='.length) : undefined;
  const target = words.pop() ?? '.';
  for (const source of words) {
    const path = join(from ? join(folder, from) : context, source);
    const to = join(root, workdir, target.endsWith('/') ? join(target, basename(source)) : target);
    await cp(path, to, { recursive: true, verbatimSymlinks: true });
  }
}

async function run(command: string, cwd: string): Promise<void> {
  const { PATH, HOME } = process.env;
  // What a step before this one has fetched is here already.
  const env = { PATH, HOME, npm_config_prefer_offline: 'true' };
  await promisify(execFile)('sh', ['-ec', command], { cwd, env, maxBuffer: 64 * 1024 * 1024 });
}

/** What `docker build` would be sent: all but what .dockerignore names, by paths or as `**` and an ending. */
async function makeContext(folder: string): Promise<string> {
  const ignored = (await readFile(join(project, '.dockerignore'), 'utf8')).split('\n').filter(Boolean);
  const isIgnored = (path: string) =>
    ignored.some((rule) => (rule.startsWith('**/*') ? path.endsWith(rule.slice(4)) : path === rule));
  const context = join(folder, 'context');
  await cp(project, context, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (path) => !isIgnored(relative(project, path)),
  });
  return context;
}
