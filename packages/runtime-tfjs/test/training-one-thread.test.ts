import { trainingSuite } from './training-suite.js';

trainingSuite(1);
