import { trainingSuite } from './training-suite.js';

trainingSuite(2);
