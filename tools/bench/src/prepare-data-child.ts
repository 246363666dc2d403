import { prepareMeasured, type Preparation } from './prepare-data.js';

const prepared = await prepareMeasured(JSON.parse(process.argv[2]!) as Preparation);
process.stdout.write(JSON.stringify(prepared));
