#!/usr/bin/env node
import { launch } from '../../build/launch.mjs';

await launch(import.meta.url, { install: true });
