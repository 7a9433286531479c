/**
 * What an audio-only room shows: three streams that become one, teal on dark, 1280x720, as four H.264 pictures half a second
 * apart: an IDR picture and three that repeat it. (IDR pictures alone would each need an id unlike the one before.)
 * Made with ffmpeg 5.1 and x264 by
 *
 *   B='between(X,256,1024)*clip((9-abs(Y-360-K*120*(0.5+0.5*cos(PI*clip((X-256)/480,0,1)))))/2,0,1)'
 *   A="max(max(${B//K/-1},${B//K/0}),${B//K/1})"
 *   ffmpeg -f lavfi -i color=black:s=1280x720:r=2 -frames:v 4 \
 *     -vf "format=gbrp,geq=r='11+4*$A':g='21+101*$A':b='22+95*$A',format=yuv420p" \
 *     -c:v libx264 -preset veryslow -profile:v main -level 3.1 -qp 26 -bf 0 -refs 1 \
 *     -x264-params keyint=4:scenecut=0:weightp=0:mbtree=0 -bsf:v 'filter_units=pass_types=1|5|7|8' still.h264
 */
import { forEachNalUnit } from "../../core/media/annex-b.ts";
import { bytesOfBase64 } from "../../core/wire/base64.ts";

/** Between two pictures of the still. */
export const STILL_PERIOD_US = 500_000;

const NAL_IDR = 5;
const NAL_SLICE = 1;

/** The pictures in their order, Annex B; the first is the keyframe, with SPS and PPS in front. Then they begin again. */
export function stillPictures(): Uint8Array[] {
  const stream = bytesOfBase64(STREAM);
  const pictures: Uint8Array[] = [];
  let from = 0;
  forEachNalUnit(stream, (type, _start, end) => {
    if (type !== NAL_IDR && type !== NAL_SLICE) return true;
    pictures.push(stream.subarray(from, end));
    from = end;
    return true;
  });
  return pictures;
}

const STREAM = `
AAAAAWdNQB/aAUAW7ARAAAADAEAAAAMBA8YMqAAAAAFo7jLIAAABZYiEP/4kR8Cl2QELeNYRqjl89nmh2mZ5yiJAAAADAAADAAAD
AAB50sdRGfCnhAcAAAMAAAMAuoABFQACFgAGoAAZIABxAAH8AAmQAENAAfYADFAAdYAAR3B+QAv+0gYaaCv0vdzr6W3QEJCcVsKm
tlosGYSD/d/nLOIkF+Gdh/H3FCSW/FySZF6lqaF6UCTjy+fPpDI99cCVjOowg4/FA4VvAvAwvpi0kD+x6JRxn/I8Go4Zt0AqkQUo
3VFqg1wmwO8wEYjKC6njAAA0uqn8od3ztA2GH/0/k2ib76M8Y0KS3MgMXzpcJ7FZh0nUFla6B+FHstW4J2o3/JJuu0O3Z23qoFSV
+P9ZolxfaWuOFhEQKBmGwZno14pzHVdgA2t6ts0YSQrkTGnwKc1iGyHI8ODC81HqBVSuIF9DQAmkikmafg2deKeWAZuuQ7ctjA67
/W1GO5yUmjorccaoor9kLFBQRJeTM3Y0CmpghB40IQ+RTpOTe9zaLXoh4qrVe1K9UyCvx2ezzZwtV5lRGx3hQUqqx31YHYn8uNUF
jmBhmTF0KynTcZGvP4e3ci+X/b9dcHr6VI5C5N6OAATXtAcaTKsXTEMnGjGOMz9yRlIb3NdhvSegWRrHL6XANVqWz474dapIvHvk
wzBcBAgL28NvMOZckAGUZqB/q49a169QPbBB9rlyTKxt5myN/zHlgBLDi9Ga8KkE8iSz8Hqz6EbUpHgoQtrDYjAYVC8g1zUMSAIf
mUt46/qt5UEmoe6BFpch60WTCve5zU3Vaz3M0yoOS9Yu0ZL8pxNtPteBHHQEHy70d9xh5hsYLkErGv5zIkeUKH/dqQcWqYkvDP46
hWKCsOSCoCYVDfeRE+pLPQAAGKw38ML/hkCHZC9kVeF0uyNA5u7wIgp8JqiU+L3OoKW21RcV4qUKz7NC3mzTAGcduuimrxrBmKGu
sbBuvlbVFKsxhUAhXSTDhdQJhYRy15WLoEoxjNtmIo5giRdDiX3/puvWSzaffCRUX9eB24R+D3oWVxcT44hB7Z60wnrDYQO4mGBt
1F18i15qQuhpjDakVKjt7yykeakYrqHSnOkCAAAJhAMqXqyMyRfnHsBcogGjhI3d+lPZ6fTQ7KzCQOeb8vAJHvIaiGtQFY7KNj0O
owdnGB39jA6Shnhg/KwIftrq5ZHwYEk9NpHu7rfN9yKptvhIumnxe6dhnkgZqvuHKPKRlLEsn1efC9DPC8Ka9IudWdAu52yC5mAn
61aojThN252N1loEZbqK11aMDdeW2qagAAJkHwLQVwVvNik/kw6aCljpQjbcZlMKpvr4iDPMIKkzYRwQi+mDbLHixqO3W2Gbfluf
jySU71CPIo4FX3CoEWjDhWmp9mY6uVP+GvNvsUQgrESj76fbtqZcb2uY0GW0a8VO1kmtGCZOxiPHSlW5yevp9/Ntk7es8UNRmFMO
l/3strgSdDtgXcKLsCmVDHhVuW6AAAG85gXz0thCoHEaPkHcn9kZYJ9TmEjB+Y8ijvQfqcwPHH00BxoK2Uog95PEJNsgfJLDMD0V
hSesqHcwq3muBopL/FLmntkxqz5K36wL2pqDQmR96txP3CfPHK3irLQhMHJqbOtBN/dZqt2CRStCcvvhWzQOuqyS2/N3zho0Jdcr
88Th2fxcny59+SpK1pFjUvo84Hdg4NX8eS1xOXouxu6GAY6AAAqT3MWecpQ9Lz67pR1/7ZcN3D2/g0vCS3MDQk0C86nU0qghzpkU
3s/QKG1XFWli/U11doNCrWnaVXrPmw925M4FrVVA3hdrZcUqqF25R3A49oJ0UgAbm1l05IsqXKbmI9O/FmH118Kf+Pe3XELh0OMT
m9qaEb1ph4iQ+GAVLyUbXXV2TnxkP8GKSThjNvKtcfKt/G4GsU4NmIKSz+dgsZpnVu7UfeaP1/RGB1uTZqBYDJRqKVAaO/b4Qchy
1QrYDWKzQv9vYWvkZZEasNsQmYfFuAVytdnkvUD29KzdYwK381uXgE3nf7Fk8VnKD1YLV2fbpwOxkAF7TQkO0YEqj9ACsRDJB8eO
CquiwlcI+Uy1/jNs63yIAj1+DjmhlRYWxwHayYq7e75B/5Y1gAL7v8wZgVNZC8XKvaEf+Mv0IvhbNS3+347Nr+67AiKqMJQAaCST
ZH6KMYykZMhS2V6z/sR55WRNvJx75bynWhEL0lzKtes+giDnls+Oqy9rcda8gfVCz5utEkVDKGXDLFirJei72jLk2pzZ3BtvXzkp
bEuc/4X4GhRXHIR8PkWbgfPV9m/ZMVEHMBrwidu3X8pznsmlnddgb8EdylTHJOwCiGdRm/Q9UPdlggrhqt9SWETA7B0XVjIyagQB
B1uslscT5hP6cVl43DLrfwYs11sA4hsaBGA8vKtd+4tQ0aJCXYlDLflWQmiXTPWKY5mnufyTzUodkJSnSCRclJRGYwUHYP/OULvk
UR1tUj3YUfb6Kz9exOJ22awTTqn9oH7cUohdFFIqCULqf9uT0MkfysgA50vt1K4CtOFgu4KFOypLh/iUHJ54utlL7+bKd3SjrzDW
wbb0kbZSoOSRfXHsZ5OoU8Q15vWu6IVBPjcaNgDRK0WUSVOjnqwZ0+jw6uTpydZiU5pZZOrDjBHAT7Jg7AA9q40xh99YL/YjFwiV
Z5EI10PS/+z+RaPlhh5WSszxcjgZJgQxKGnBU1wTmvlxtmm/slRWKr/OwAJx0gCLkGhvTK+0gj+8eJZkj9qZM9XtkislLlDJL9sK
/VicbeYN8wdX61GFILU5sK1ddVgLBZyUMAeWLAAARRTNnszpMDGSI6wubKcUSGpqjeE6ddSgKTr7C5n/EFRY1JtkW2gi37L3G/tZ
E8o98oYKKuvzzqtLGsIFeKuLwmuIT6dHx+jEDtNpIKiCn+TLMherhZxgX7MeL09wm18UI0yi5PeYUn6kr/3CgmZ0LSxG9VMzRpn3
lrXkn9HoxQCLegWYk+/l+HstaR9sPzBpWv6glR8gZOQFHTQ7gHpHQgAASwYODGAbXjV6ttLZ/9M1ojPpuqunfh5dfz9oGTu0izjK
IL/2VyfocIDjvVlLsLJ7v9FvEQaqfxo8Jirrc7AFWrtsZNOi7CnCUwSvUGqYPEY+jswjQF1wuVSrLZD2NBaBMmsnpFeksaXs5Ura
U81ClDa71NSoT8JqD03A/Ww58GoaH6GAs0JcvBVuMeFiSeBz4FjXFbwS7O/eSenvBO+ignskhAACCzMNHLppMTxeiYl625BtduIR
DAgmYQrkvlKEcR4/nZ1ULqr+kt5Y8FvLVvaBAHFDCRlki0y4Hz8nBMoRNxc1/PGK2l7dGm9klKPvT4YAqhs5hGBbv3svOjHCfPd5
U5eSuhwb9Ld1b4znyYoJJO4cg/qiC2pWi8JOoiPPPf11qDjsofwT9Bz+g/aSa3in6xhf5a78pJ3Et27NGiB15tbxxYgAA+1bR2XU
dUV8o6oDZG04X/vBn76qMIN3GDxBsgkvTzeXWGqELY1zxzgqumS2LG5xkfmysgb0hPPbzCSBbl7rxCLuqTcqjPAxdXrF59aois2A
G3SkwqgTAxpBfELNDD1j6DgN945aZl1nEgUfJPO/oe+kUwLPHz9XZgktqVKZAda8lweDTC5AtbYWXy8gvamg32rLWtXzEwpQILyF
UkHpEZlzZmiDFpNY52XUXRS3tKRng5y0z1tmWNYvy60uwAAAxDsP1a0cbxEXwnZRhSE7JWZ2ROOmq8cCP/C3FcUEvsPRfiGnssPu
ZMZ1ipbt+0tnnltgmdx7PhpbJsZkHngpPGFfAdS//mRJJD2f5KrFCVX7f6iowPJVJiJZKik7uR/o3Tk4GVAPmql6BivQCUU9Q4at
wakGF2qq25DrlHSbBWdPvpval80dimu8wcVXLWwxw0FW5W8f886WefL/9zMyXJG0GhOkvbQ70io/TSg0bSlE+0S9Va0KF3RpU9R5
sNU2Z5rT3okPIvu8CirYJZfeDufetg44t4m6eTOhkmu1/Sh8shsNxSfQAAF/jqoYJOY45NitPeRgm6Lhn/opVYTdR3ncR9koKFar
zLWM1dhFuam8JAMgitjEVv4VfnioBnPSsGQa/PrVVEdHnK0TMLG4BMDlO6UybbykuUV/c58pX5JWWGdTeRgSD7Esp3VQCgSQ6knB
cH0fMDhUZ6AABlGJ24AAAAMAAAMAAAMAAAMAAAMAAAMAAAMAAAMAAAMAAAMAAAMAAAMAAAMAAAMAAAMAAAMAATUAAAABQZoj/wAA
AwAAAwAAAwAAAwAAAwArs0igAAADAAADADfgAAAAAUGaQ/8AAAMAAAMAAAMAAAMAAAMAAAMAAAMAAAMAAf8AAAABQZpj/wAAAwAA
AwAAAwAAAwAAAwAAAwAAAwAAAwAB/g==
`;
