#!/usr/bin/env node
import { relative } from 'node:path';
import { makeAppFolder } from '../app-folder.mjs';
import { readManifest, workspaceRoot } from '../workspace.mjs';

const folder = makeAppFolder(readManifest(process.cwd()).name);
process.stdout.write(`The application is in ${relative(workspaceRoot, folder)}\n`);
