import { controls, adopt, tokens } from "../common/tokens";
import { breathe, dotStyles } from "../common/dot";
import "../common/elements";
import { ThreadPage } from "./page";
import { entryStyles, frameStyles } from "./styles";

adopt(tokens, controls, dotStyles, frameStyles, entryStyles);
customElements.define("kb-thread", ThreadPage);
breathe();
