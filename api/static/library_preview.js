// What a writer types, drawn by the widget's own article view, in a frame of the editor.

import { articleView } from "./panel/article.js";
import { draw } from "./panel/nodes.js";
import { speak } from "./panel/words.js";

const data = JSON.parse(document.querySelector("#data").textContent);
const nothing = () => {};
speak(data);
const view = articleView(data, Promise.resolve(data.article), "", { draw, openArticle: nothing, openForm: nothing, onShown: nothing });
document.querySelector("#panel").append(view.main);
