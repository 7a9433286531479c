/** Entry of the web app: the one element of index.html. */
import "./components/tributary-app.ts";
