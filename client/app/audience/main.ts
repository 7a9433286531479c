/** Entry of the pages for the audience: the one element of audience.html. */
import "./audience-app.ts";
