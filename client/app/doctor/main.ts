/** Entry of the page that checks the connection: the one element of doctor.html. */
import "./doctor-page.ts";
