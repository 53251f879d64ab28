// The picture of the demo show: a market stall that presents eight products, three seconds each. scene(ctx, n)
// draws frame n of 720 at 1280x720; every movement is back where it began at frame 720, so that the clip
// loops without a seam. Runs in a browser (render.mjs), needs nothing from outside.

export const frames = 720;
const rate = 30;
const slot = 90; // frames a product has
const tau = 2 * Math.PI;

const products = [
  { id: 'moka-pot', name: 'Moka pot', wall: ['#ffe3d1', '#f7b99a'], draw: mokaPot },
  { id: 'mug', name: 'Speckled mug', wall: ['#dff0ea', '#a9d3c6'], draw: mug },
  { id: 'tote', name: 'Linen tote', wall: ['#e6ecfb', '#b4c3ec'], draw: tote },
  { id: 'lamp', name: 'Desk lamp', wall: ['#e4dcf7', '#b9a6e2'], draw: lamp },
  { id: 'plant', name: 'Little rubber plant', wall: ['#f9f0cf', '#ecd58c'], draw: plant },
  { id: 'headphones', name: 'Headphones', wall: ['#ffdfe4', '#f5a8b4'], draw: headphones },
  { id: 'candle', name: 'Beeswax candle', wall: ['#d9e8f6', '#9dc1e0'], draw: candle },
  { id: 'clock', name: 'Station clock', wall: ['#e3f1d8', '#b2d492'], draw: clock },
];

// names are those of the products' own pictures.
export const names = products.map((p) => p.id);

// still draws a product for its card, at 640x480.
export function still(c, which) {
  const [light, dark] = products[which].wall;
  const g = c.createRadialGradient(320, 200, 40, 320, 240, 440);
  g.addColorStop(0, light);
  g.addColorStop(1, dark);
  c.fillStyle = g;
  c.fillRect(0, 0, 640, 480);
  c.translate(320, 424);
  ellipse(c, 0, 2, 150, 20, 'rgba(60, 30, 10, .16)');
  c.lineCap = c.lineJoin = 'round';
  products[which].draw(c, 0.75);
}

export function scene(c, n) {
  const which = Math.floor(n / slot) % products.length;
  const p = products[which];
  const before = products[(which + products.length - 1) % products.length];
  const at = n % slot;
  const t = n / rate;

  wall(c, before.wall, 1);
  wall(c, p.wall, ease(at / 14));
  lights(c, t);
  shelf(c);
  plinth(c);

  // The old product leaves to the left while the new one comes from the right.
  const shift = ease(at / 16);
  if (shift < 1) product(c, before, 430 - 700 * shift, t, 1 - shift);
  product(c, p, 430 + 620 * (1 - shift), t, shift);

  sign(c, p, which, at);
  awning(c);
  counter(c, n);
}

const clamp = (x) => Math.max(0, Math.min(1, x));
const ease = (x) => 1 - (1 - clamp(x)) ** 3;
const sway = (t, hertz) => Math.sin(tau * hertz * t); // a multiple of 1/24 Hz comes back after the clip

function wall(c, [light, dark], alpha) {
  if (alpha <= 0) return;
  c.globalAlpha = alpha;
  const g = c.createRadialGradient(430, 330, 60, 500, 360, 820);
  g.addColorStop(0, light);
  g.addColorStop(1, dark);
  c.fillStyle = g;
  c.fillRect(0, 0, 1280, 720);
  c.globalAlpha = 1;
}

function awning(c) {
  const w = 1280 / 16;
  for (let i = 0; i < 16; i++) {
    c.fillStyle = i % 2 ? '#fff7ec' : '#ee5a52';
    c.beginPath();
    c.moveTo(i * w, 0);
    c.lineTo((i + 1) * w, 0);
    c.lineTo((i + 1) * w, 62);
    c.arc((i + 0.5) * w, 62, w / 2, 0, Math.PI);
    c.closePath();
    c.fill();
  }
  const g = c.createLinearGradient(0, 0, 0, 30);
  g.addColorStop(0, 'rgba(70, 20, 20, .35)');
  g.addColorStop(1, 'rgba(70, 20, 20, 0)');
  c.fillStyle = g;
  c.fillRect(0, 0, 1280, 30);
}

function lights(c, t) {
  const y = (x) => 118 + 34 * Math.sin((Math.PI * (x % 320)) / 320);
  c.strokeStyle = 'rgba(60, 40, 40, .45)';
  c.lineWidth = 2.5;
  c.beginPath();
  for (let x = 0; x <= 1280; x += 8) c.lineTo(x, y(x));
  c.stroke();
  for (let i = 0; i < 16; i++) {
    const x = 40 + i * 80;
    const glow = 0.6 + 0.4 * Math.sin(tau * (t / 3 + i * 0.31));
    const g = c.createRadialGradient(x, y(x) + 10, 1, x, y(x) + 10, 34);
    g.addColorStop(0, `rgba(255, 236, 170, ${0.75 * glow})`);
    g.addColorStop(1, 'rgba(255, 236, 170, 0)');
    c.fillStyle = g;
    c.fillRect(x - 34, y(x) - 24, 68, 68);
    disc(c, x, y(x) + 10, 8, `hsl(42 100% ${78 + 14 * glow}%)`);
  }
}

function shelf(c) {
  const g = c.createLinearGradient(0, 560, 0, 720);
  g.addColorStop(0, '#b97a4b');
  g.addColorStop(1, '#8a5530');
  c.fillStyle = g;
  c.fillRect(0, 566, 1280, 154);
  c.fillStyle = '#d2955f';
  c.fillRect(0, 560, 1280, 16);
  c.strokeStyle = 'rgba(70, 38, 16, .35)';
  c.lineWidth = 3;
  for (const x of [210, 470, 700, 905, 1130]) line(c, [[x, 576], [x, 720]]);
}

function plinth(c) {
  ellipse(c, 430, 566, 215, 30, 'rgba(60, 30, 10, .22)');
  c.fillStyle = '#f4e7d6';
  c.fillRect(250, 530, 360, 30);
  ellipse(c, 430, 560, 180, 24, '#e2cfb6');
  ellipse(c, 430, 530, 180, 24, '#fff6ea');
}

function product(c, p, x, t, alpha) {
  c.save();
  c.globalAlpha = clamp(alpha * 1.4);
  c.translate(x, 528);
  ellipse(c, 0, 2, 110, 14, 'rgba(60, 30, 10, .16)');
  c.lineCap = c.lineJoin = 'round';
  p.draw(c, t);
  c.restore();
}

// sign names the product on the picture itself. What it costs is the card's to say, in the viewer's currency.
function sign(c, p, which, at) {
  const come = ease((at - 6) / 14);
  const go = ease((at - 82) / 8);
  c.save();
  c.globalAlpha = clamp(come - go);
  c.translate(770 + 60 * (1 - come), 268);
  c.shadowColor = 'rgba(50, 20, 20, .22)';
  c.shadowBlur = 34;
  c.shadowOffsetY = 14;
  box(c, 0, 0, 422, 164, 26, '#ffffff');
  c.shadowColor = 'transparent';
  text(c, `NOW SHOWING   ${which + 1} OF ${products.length}`, 36, 52, '700 19px', '#d9413a');
  text(c, p.name, 34, 108, `700 ${p.name.length > 16 ? 39 : 48}px`, '#231f26');
  box(c, 36, 132, 350, 8, 4, '#efe9e4');
  box(c, 36, 132, Math.max(8, 350 * clamp(at / (slot - 8))), 8, 4, '#ee5a52');
  c.restore();
}

function counter(c, n) {
  text(c, 'The Pushcart Market', 56, 662, 'italic 700 34px', '#ffe9cf', 'left', 'Liberation Serif, DejaVu Serif, serif');
  box(c, 906, 622, 318, 56, 14, 'rgba(30, 16, 8, .78)');
  const two = (x) => String(x).padStart(2, '0');
  const clockText = `${two(Math.floor(n / rate))}.${two(Math.floor(((n % rate) * 100) / rate))}`;
  text(c, `${clockText}  frame ${String(n).padStart(3, '0')}`, 1065, 660, '700 26px', '#ffd9a0', 'center', 'Liberation Mono, DejaVu Sans Mono, monospace');
}

// ---- products, each standing on (0, 0)

function mokaPot(c, t) {
  steam(c, -8, -318, t);
  poly(c, [[-78, 0], [78, 0], [58, -128], [-58, -128]], '#b9bec9');
  poly(c, [[-30, 0], [22, 0], [14, -128], [-24, -128]], '#d7dbe3');
  box(c, -66, -146, 132, 22, 6, '#8d93a1');
  poly(c, [[-58, -146], [58, -146], [76, -262], [-66, -262], [-104, -254], [-76, -214]], '#c6cbd5');
  poly(c, [[-24, -146], [14, -146], [20, -262], [-28, -262]], '#e3e6ec');
  poly(c, [[-70, -262], [78, -262], [26, -296], [-16, -296]], '#9aa0ae');
  disc(c, 4, -306, 13, '#2b2730');
  c.strokeStyle = '#2b2730';
  c.lineWidth = 24;
  line(c, [[80, -246], [132, -246], [122, -150]]);
}

function mug(c, t) {
  steam(c, 0, -218, t);
  c.rotate(0.02 * sway(t, 1 / 3));
  c.strokeStyle = '#e9e1d4';
  c.lineWidth = 26;
  c.beginPath();
  c.ellipse(104, -104, 48, 54, 0, -Math.PI / 2, Math.PI / 2);
  c.stroke();
  c.fillStyle = '#f6efe4';
  c.beginPath();
  c.moveTo(-112, -204);
  c.lineTo(112, -204);
  c.lineTo(100, -26);
  c.quadraticCurveTo(96, 0, 66, 0);
  c.lineTo(-66, 0);
  c.quadraticCurveTo(-96, 0, -100, -26);
  c.closePath();
  c.fill();
  poly(c, [[-108, -150], [108, -150], [101, -44], [-101, -44]], '#3f8f80');
  for (let i = 0; i < 42; i++) {
    const x = -90 + ((i * 73) % 182);
    disc(c, x, -190 + ((i * 47) % 176), 2 + (i % 3), 'rgba(60, 50, 40, .38)');
  }
  ellipse(c, 0, -204, 112, 24, '#e2d6c4');
  ellipse(c, 0, -201, 96, 18, '#5a3522');
}

function tote(c, t) {
  c.rotate(0.035 * sway(t, 1 / 3));
  c.strokeStyle = '#c9a86c';
  c.lineWidth = 15;
  c.beginPath();
  c.ellipse(0, -238, 62, 92, 0, Math.PI, 0);
  c.stroke();
  poly(c, [[-126, -244], [126, -244], [138, 0], [-138, 0]], '#efdfbd');
  poly(c, [[-126, -244], [126, -244], [127, -222], [-127, -222]], '#dcc697');
  const beat = 1 + 0.06 * sway(t, 2 / 3);
  c.save();
  c.translate(0, -112);
  c.scale(beat, beat);
  c.fillStyle = '#ee5a52';
  c.beginPath();
  c.moveTo(0, 56);
  c.bezierCurveTo(-92, 2, -62, -66, 0, -28);
  c.bezierCurveTo(62, -66, 92, 2, 0, 56);
  c.fill();
  c.restore();
}

function lamp(c, t) {
  const lit = 0.78 + 0.22 * sway(t, 1 / 3);
  const g = c.createLinearGradient(0, -250, 0, 0);
  g.addColorStop(0, `rgba(255, 240, 170, ${0.8 * lit})`);
  g.addColorStop(1, 'rgba(255, 240, 170, .06)');
  poly(c, [[-4, -250], [112, -218], [150, 0], [-120, 0]], g);
  box(c, -126, -20, 150, 20, 10, '#3d3561');
  c.strokeStyle = '#4d4478';
  c.lineWidth = 15;
  line(c, [[-62, -18], [-104, -176], [12, -312]]);
  disc(c, -104, -176, 17, '#f0b84a');
  c.save();
  c.translate(30, -306);
  c.rotate(-0.28);
  poly(c, [[-26, -26], [26, -26], [72, 66], [-62, 66]], '#5b50a0');
  ellipse(c, 5, 66, 67, 15, '#fff3bf');
  c.restore();
}

function plant(c, t) {
  for (const [angle, length, lean] of [[-0.95, 168, 1], [-0.5, 232, 0.8], [-0.06, 280, 0.6], [0.42, 238, 0.8], [0.9, 172, 1]]) {
    c.save();
    c.translate(0, -118);
    c.rotate(angle + 0.05 * lean * Math.sin(tau * t / 3 + angle * 2));
    c.strokeStyle = '#3d7a46';
    c.lineWidth = 8;
    line(c, [[0, 0], [0, -length * 0.55]]);
    c.fillStyle = angle < 0 ? '#3f9150' : '#4fa860';
    c.beginPath();
    c.moveTo(0, -length * 0.32);
    c.bezierCurveTo(-62, -length * 0.5, -50, -length * 0.88, 0, -length);
    c.bezierCurveTo(50, -length * 0.88, 62, -length * 0.5, 0, -length * 0.32);
    c.fill();
    c.strokeStyle = 'rgba(20, 70, 30, .45)';
    c.lineWidth = 4;
    line(c, [[0, -length * 0.36], [0, -length * 0.92]]);
    c.restore();
  }
  poly(c, [[-84, -112], [84, -112], [64, 0], [-64, 0]], '#d9744a');
  box(c, -98, -140, 196, 38, 8, '#e88a5f');
}

function headphones(c, t) {
  c.translate(0, 36);
  for (let i = 0; i < 3; i++) {
    const phase = (t / 1.5 + i / 3) % 1;
    c.strokeStyle = `rgba(200, 50, 80, ${0.55 * (1 - phase)})`;
    c.lineWidth = 7;
    for (const side of [-1, 1]) {
      c.beginPath();
      c.arc(side * 118, -116, 58 + 62 * phase, side < 0 ? Math.PI * 0.72 : -Math.PI * 0.28, side < 0 ? Math.PI * 1.28 : Math.PI * 0.28);
      c.stroke();
    }
  }
  c.strokeStyle = '#2d2a35';
  c.lineWidth = 30;
  c.beginPath();
  c.arc(0, -158, 122, Math.PI, 0);
  c.stroke();
  c.strokeStyle = '#4a4655';
  c.lineWidth = 10;
  c.beginPath();
  c.arc(0, -158, 124, Math.PI * 1.06, Math.PI * 1.94);
  c.stroke();
  for (const side of [-1, 1]) {
    box(c, side * 118 - 40, -178, 80, 140, 38, '#2d2a35');
    box(c, side * 96 - 22, -170, 44, 124, 22, '#ee5a52');
  }
}

function candle(c, t) {
  const lick = Math.sin(tau * t) + 0.6 * Math.sin(tau * 2 * t + 1);
  const g = c.createRadialGradient(0, -262, 6, 0, -262, 190);
  g.addColorStop(0, `rgba(255, 220, 120, ${0.62 + 0.06 * lick})`);
  g.addColorStop(1, 'rgba(255, 220, 120, 0)');
  c.fillStyle = g;
  c.fillRect(-190, -452, 380, 380);
  ellipse(c, 0, -8, 116, 22, '#7f8ea3');
  ellipse(c, 0, -14, 104, 18, '#98a7bc');
  c.fillStyle = '#f2c14e';
  c.fillRect(-60, -202, 120, 190);
  ellipse(c, 0, -12, 60, 13, '#f2c14e');
  c.fillStyle = 'rgba(255, 255, 255, .22)';
  c.fillRect(-46, -202, 22, 190);
  ellipse(c, 0, -202, 60, 15, '#f9d884');
  c.strokeStyle = '#4a3320';
  c.lineWidth = 5;
  line(c, [[0, -202], [1, -226]]);
  c.save();
  c.translate(1, -220);
  c.rotate(0.05 * lick);
  flame(c, 26, 84 + 5 * lick, '#ff9d2e');
  flame(c, 14, 50 + 4 * lick, '#fff0a8');
  c.restore();
}

function flame(c, w, h, colour) {
  c.fillStyle = colour;
  c.beginPath();
  c.moveTo(0, 0);
  c.bezierCurveTo(-w * 1.5, -h * 0.2, -w * 0.5, -h * 0.6, 0, -h);
  c.bezierCurveTo(w * 0.5, -h * 0.6, w * 1.5, -h * 0.2, 0, 0);
  c.fill();
}

function clock(c, t) {
  c.translate(0, -170);
  box(c, -84, 128, 168, 42, 12, '#2c3327');
  disc(c, 0, 0, 160, '#2c3327');
  disc(c, 0, 0, 140, '#fdfcf6');
  for (let i = 0; i < 12; i++) {
    c.save();
    c.rotate((i * tau) / 12);
    box(c, i % 3 ? -4 : -7, -130, i % 3 ? 8 : 14, i % 3 ? 20 : 32, 2, '#2c3327');
    c.restore();
  }
  hand(c, tau * (10 / 12 + 9 / 720), 78, 15, '#2c3327');
  hand(c, tau * (9 / 60), 114, 10, '#2c3327');
  hand(c, tau * (t / 24), 122, 5, '#d9413a'); // once around in a clip
  disc(c, 0, 0, 11, '#d9413a');
}

function hand(c, angle, length, width, colour) {
  c.save();
  c.rotate(angle);
  box(c, -width / 2, -length, width, length + 22, width / 2, colour);
  c.restore();
}

// ---- strokes

function steam(c, x, y, t) {
  for (let i = 0; i < 3; i++) {
    const rise = (t / 3 + i / 3) % 1;
    c.strokeStyle = `rgba(255, 255, 255, ${0.75 * Math.sin(Math.PI * rise)})`;
    c.lineWidth = 10 + 8 * rise;
    c.beginPath();
    for (let k = 0; k <= 12; k++) {
      const up = k * 5;
      c.lineTo(x + (i - 1) * 34 + 12 * Math.sin(up / 14 + tau * t / 3 + i * 2), y + 10 - rise * 74 - up);
    }
    c.stroke();
  }
}

function disc(c, x, y, r, colour) { ellipse(c, x, y, r, r, colour); }

function ellipse(c, x, y, rx, ry, colour) {
  c.fillStyle = colour;
  c.beginPath();
  c.ellipse(x, y, rx, ry, 0, 0, tau);
  c.fill();
}

function box(c, x, y, w, h, r, colour) {
  c.fillStyle = colour;
  c.beginPath();
  c.roundRect(x, y, w, h, r);
  c.fill();
}

function poly(c, points, colour) {
  c.fillStyle = colour;
  c.beginPath();
  for (const [x, y] of points) c.lineTo(x, y);
  c.closePath();
  c.fill();
}

function line(c, points) {
  c.beginPath();
  for (const [x, y] of points) c.lineTo(x, y);
  c.stroke();
}

function text(c, words, x, y, font, colour, align = 'left', family = 'Liberation Sans, DejaVu Sans, sans-serif') {
  c.font = `${font} ${family}`;
  c.textAlign = align;
  c.fillStyle = colour;
  c.fillText(words, x, y);
}
