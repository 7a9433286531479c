/** Moving pictures of people and a slide, drawn on a canvas, so that the room page can be looked at without a network. */

/** Draws until `stopped` aborts; the canvas stands in for what `track.attach()` gives. */
export function drawPerson(canvas: HTMLCanvasElement, seed: number, stopped: AbortSignal): void {
  const hue = (seed * 67 + 20) % 360;
  animate(canvas, stopped, (context, seconds) => {
    const { width, height } = canvas;
    const wall = context.createLinearGradient(0, 0, width, height);
    wall.addColorStop(0, `hsl(${hue} 28% 78%)`);
    wall.addColorStop(1, `hsl(${hue + 30} 30% 52%)`);
    context.fillStyle = wall;
    context.fillRect(0, 0, width, height);
    context.fillStyle = `hsl(${hue + 40} 34% 88% / 70%)`;
    context.fillRect(width * (0.08 + (seed % 3) * 0.3), height * 0.1, width * 0.2, height * 0.34);
    const sway = Math.sin(seconds * 1.3 + seed) * width * 0.012;
    const middle = width * (0.46 + (seed % 4) * 0.03) + sway;
    context.fillStyle = `hsl(${(hue + 170) % 360} 32% ${28 + (seed % 3) * 9}%)`;
    context.beginPath();
    context.ellipse(middle, height * 1.06, width * 0.25, height * 0.46, 0, 0, 7);
    context.fill();
    const skin = ["#8d5a3b", "#e5b592", "#c68863", "#f1cdb0", "#6b4029"][seed % 5] ?? "#c68863";
    context.fillStyle = skin;
    context.fillRect(middle - width * 0.04, height * 0.52, width * 0.08, height * 0.16);
    context.fillStyle = ["#2a1a12", "#5b3a1e", "#1c1c22", "#8a6a3a"][seed % 4] ?? "#222";
    context.beginPath();
    context.ellipse(middle, height * 0.36, width * 0.115, height * 0.22, 0, 0, 7);
    context.fill();
    context.fillStyle = skin;
    context.beginPath();
    context.ellipse(middle, height * 0.405, width * 0.094, height * 0.185, 0, 0, 7);
    context.fill();
    drawFace(context, middle, width, height, seconds + seed);
  });
}

export function drawSlide(canvas: HTMLCanvasElement, stopped: AbortSignal): void {
  animate(canvas, stopped, (context, seconds) => {
    const { width, height } = canvas;
    context.fillStyle = "#fbfaf6";
    context.fillRect(0, 0, width, height);
    context.fillStyle = "#12312f";
    context.font = `700 ${height * 0.075}px sans-serif`;
    context.fillText("River levels, spring", width * 0.07, height * 0.17);
    context.fillStyle = "#5c716d";
    context.font = `${height * 0.036}px sans-serif`;
    context.fillText("Gauge at the lower weir, metres above datum", width * 0.07, height * 0.24);
    for (let bar = 0; bar < 12; bar++) {
      const level = 0.25 + 0.22 * Math.sin(bar * 0.6) + 0.08 * Math.sin(seconds + bar);
      context.fillStyle = bar === 4 ? "#e0912f" : "#1a8a82";
      const left = width * (0.08 + bar * 0.07);
      context.fillRect(left, height * (0.88 - level), width * 0.05, height * level);
    }
  });
}

function drawFace(
  context: CanvasRenderingContext2D,
  middle: number,
  width: number,
  height: number,
  at: number,
): void {
  const closed = at % 4 < 0.15;
  context.fillStyle = "#1b1512";
  for (const side of [-1, 1]) {
    context.beginPath();
    const eyeHeight = closed ? 1 : height * 0.014;
    context.ellipse(middle + side * width * 0.035, height * 0.39, width * 0.008, eyeHeight, 0, 0, 7);
    context.fill();
  }
  context.strokeStyle = "#7a3a33";
  context.lineWidth = height * 0.009;
  context.lineCap = "round";
  context.beginPath();
  context.arc(middle, height * 0.455, width * 0.03, 0.35, Math.PI - 0.35);
  context.stroke();
}

function animate(
  canvas: HTMLCanvasElement,
  stopped: AbortSignal,
  draw: (context: CanvasRenderingContext2D, seconds: number) => void,
): void {
  const context = canvas.getContext("2d");
  if (context === null) throw new Error("this browser gives no 2d canvas");
  const frame = (milliseconds: number) => {
    if (stopped.aborted) return;
    draw(context, milliseconds / 1000);
    requestAnimationFrame(frame);
  };
  frame(performance.now());
}
