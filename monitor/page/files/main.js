// What the page is put together from.

import { followTheme } from "./theme.js";

followTheme(document.getElementById("theme"), () => {});
