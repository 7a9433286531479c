/** How the list of recordings looks. */
import { css } from "lit";

export const historyStyles = css`
  .title {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 10px 16px;
    margin-bottom: 18px;
  }
  .title form {
    display: flex;
    flex: 0 1 340px;
    gap: 8px;
    margin-left: auto;
  }
  .title label {
    flex: 1;
  }
  .title .field {
    min-height: 44px;
  }
  ul {
    display: grid;
    grid-template-columns: repeat(auto-fill, minmax(min(270px, 100%), 1fr));
    gap: 20px;
  }
  .card {
    display: flex;
    flex-direction: column;
    height: 100%;
    border: 1px solid var(--line);
    border-radius: 18px;
    background: var(--surface);
    overflow: hidden;
  }
  .card:has(.picture:hover, .name:hover) {
    border-color: var(--field-line);
  }
  .picture {
    position: relative;
    display: grid;
    place-items: center;
    aspect-ratio: 16 / 9;
    background: #0c1f20;
    color: #8fe8d8;
  }
  .picture:focus-visible {
    outline-offset: -4px;
    outline-color: #8cc4ff;
  }
  .picture img {
    position: absolute;
    inset: 0;
    width: 100%;
    height: 100%;
    object-fit: cover;
  }
  .length,
  .state {
    position: absolute;
    padding: 2px 8px;
    border-radius: 7px;
    background: rgb(5 14 14 / 80%);
    color: #fff;
    font-size: 0.8rem;
    font-weight: 600;
    font-variant-numeric: tabular-nums;
  }
  .length {
    right: 10px;
    bottom: 10px;
  }
  .state {
    left: 10px;
    top: 10px;
  }
  .state.recording {
    background: #b7281f;
  }
  .text {
    display: grid;
    gap: 3px;
    padding: 14px 16px 6px;
  }
  .name {
    border-radius: 4px;
    color: var(--text);
    font-weight: 700;
    text-decoration: none;
    overflow-wrap: anywhere;
  }
  .name:hover {
    text-decoration: underline;
  }
  .text span {
    color: var(--text-soft);
    font-size: 0.9rem;
    overflow-wrap: anywhere;
  }
  .foot {
    display: flex;
    align-items: center;
    gap: 2px;
    margin-top: auto;
    padding: 0 8px 8px 16px;
    color: var(--text-soft);
    font-size: 0.86rem;
  }
  .foot .files {
    margin-left: 6px;
    border-radius: 4px;
    color: var(--primary);
  }
  .foot .space {
    flex: 1;
  }
  @media (max-width: 560px) {
    .title form {
      flex: 1 1 100%;
      margin: 0;
    }
  }
  .partial {
    display: flex;
    gap: 10px;
    margin-bottom: 16px;
    padding: 12px 16px;
    border-radius: 14px;
    background: var(--warning-soft);
    color: var(--on-warning-soft);
  }
  .more {
    display: flex;
    margin: 24px auto 0;
  }
  .empty {
    display: grid;
    justify-items: center;
    gap: 12px;
    max-width: 46ch;
    margin: 12vh auto 0;
    text-align: center;
    text-wrap: pretty;
  }
  .empty svg {
    color: var(--primary);
  }
  .refused {
    margin-bottom: 16px;
    padding: 12px 16px;
    border-radius: 14px;
    background: var(--danger-soft);
    color: var(--on-danger-soft);
    overflow-wrap: anywhere;
  }
`;
