import type { FromBoard, ToBoard } from "../../src/shared/messages";
import { breathe, dotStyles } from "../common/dot";
import "../common/elements";
import { post, receive } from "../common/post";
import { adopt, controls, tokens } from "../common/tokens";
import { Board } from "./board";
import { Store } from "./store";
import { styles } from "./styles";

adopt(tokens, controls, dotStyles, ...styles);
const store = new Store((message: FromBoard) => post(message));
Board.store = store;
customElements.define("kb-board", Board);
receive<ToBoard>((message) => store.take(message));
post<FromBoard>({ t: "ready" });
breathe();
