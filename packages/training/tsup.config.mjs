import { library } from '../../tools/build/tsup.mjs';

export default library();
