/** How the page of one recording looks: player beside what is known of it, one above the other on a phone. */
import { css } from "lit";

export const recordingStyles = css`
  .title {
    flex-wrap: nowrap;
    gap: 8px;
    margin: 0 0 14px -8px;
  }
  .title .mark-live {
    margin-left: 6px;
    letter-spacing: 0;
  }
  .columns {
    display: grid;
    grid-template-columns: minmax(0, 1fr) 300px;
    gap: 24px;
    align-items: start;
  }
  .about {
    display: grid;
    gap: 16px;
    padding: 20px;
    border: 1px solid var(--line);
    border-radius: 18px;
    background: var(--surface);
  }
  .about dl {
    display: grid;
    gap: 8px;
    font-variant-numeric: tabular-nums;
  }
  .about dl div {
    display: grid;
    grid-template-columns: 84px minmax(0, 1fr);
    gap: 8px;
  }
  dt {
    color: var(--text-soft);
  }
  h2 {
    font-size: 1rem;
  }
  .people {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 8px;
    max-height: 320px;
    overflow-y: auto;
  }
  .people li {
    display: flex;
    align-items: center;
    gap: 10px;
  }
  .avatar {
    display: grid;
    place-items: center;
    width: 34px;
    height: 34px;
    border-radius: 50%;
    background: oklch(0.46 0.085 var(--hue));
    color: #fff;
    font-size: 0.78rem;
    font-weight: 600;
    flex: none;
  }
  .who {
    flex: 1;
    min-width: 0;
    overflow-wrap: anywhere;
  }
  .file {
    display: inline-flex;
    align-items: center;
    gap: 5px;
    padding: 6px 8px;
    border-radius: 8px;
    color: var(--text-soft);
    font-size: 0.84rem;
    text-decoration: none;
    white-space: nowrap;
  }
  .files {
    display: grid;
    justify-items: end;
  }
  .file .from {
    color: var(--text);
    font-variant-numeric: tabular-nums;
  }
  .hint {
    font-size: 0.84rem;
  }
  .file:hover {
    background: var(--surface-hover);
    color: var(--text);
  }
  .acts {
    display: flex;
    flex-wrap: wrap;
    gap: 10px;
  }
  .acts .button {
    flex: 1;
  }
  @media (max-width: 860px) {
    .columns {
      grid-template-columns: minmax(0, 1fr);
      gap: 16px;
    }
  }
`;
