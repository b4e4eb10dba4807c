/** The command line from its source, for development: `npm run fecit -- check examples/cluster.fec`. */
import { main } from "./main.ts";

process.exitCode = await main(process.argv.slice(2));
