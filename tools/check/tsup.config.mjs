import { library } from '../build/tsup.mjs';

export default library(['src/cli.ts']);
