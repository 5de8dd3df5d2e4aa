// The page's words in Chinese, loaded when somebody speaks it: each catalogue as JSON, on a line.
import panels from "../i18n/panels.zh.json";
import page from "../i18n/zh.json";

export default [page, panels].map((catalogue) => JSON.stringify(catalogue)).join("\n");
