// run.mjs PROGRAM [NAME...]: the page in a real browser, on the real program; NAME is how cases begin. A line for each case.

import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCases } from './harness.mjs';
import * as engine from './engine.mjs';
import * as explore from './explore.mjs';
import * as find from './find.mjs';
import * as loading from './loading.mjs';
import * as start from './start.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const [program, ...only] = process.argv.slice(2);
const shots = path.join(process.env.PD_SHOTS ?? path.join(here, 'node_modules', '.shots'));
process.exitCode = (await runCases(path.resolve(program), { ...start, ...loading, ...explore, ...find, ...engine }, { shots, only })) ? 1 : 0;
