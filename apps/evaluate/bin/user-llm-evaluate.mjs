#!/usr/bin/env node
import { launch } from '../../../tools/build/launch.mjs';

await launch(import.meta.url);
