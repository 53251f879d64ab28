package harness

import (
	"encoding/binary"
	"time"
)

// The machine-readable clock in a picture: a strip across its top, 24 columns by 4 rows of black and white
// cells, read row by row. browser/observer.js is the other side.
//
//	8 bits marker | 48 bits wall time, ms since 1970 | 24 bits frame number | 16 bits CRC
const (
	stampColumns = 24
	stampRows    = 4
	stampMarker  = 0xa7
	stampHeight  = 28 // a row is this fraction of the picture's height
)

func stampBits(wall time.Time, frame int) [12]byte {
	var b [12]byte
	b[0] = stampMarker
	copy(b[1:], binary.BigEndian.AppendUint64(nil, uint64(wall.UnixMilli()))[2:])
	b[7], b[8], b[9] = byte(frame>>16), byte(frame>>8), byte(frame)
	binary.BigEndian.PutUint16(b[10:], crc16(b[:10]))
	return b
}

// crc16 is CRC-16/CCITT-FALSE.
func crc16(data []byte) uint16 {
	crc := uint16(0xffff)
	for _, b := range data {
		crc ^= uint16(b) << 8
		for range 8 {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ 0x1021
			} else {
				crc <<= 1
			}
		}
	}
	return crc
}

// picture is a test picture in planar 4:2:0 that is drawn anew for each frame: soft bars of colour, a box that
// moves, and the clock.
type picture struct {
	width, height int
	ground, frame []byte
}

func newPicture(width, height int) *picture {
	p := &picture{width: width, height: height, ground: make([]byte, width*height*3/2)}
	luma, chroma := p.ground[:width*height], p.ground[width*height:]
	for y := range height {
		for x := range width {
			luma[y*width+x] = byte(50 + (x*90/width+y*60/height)&127)
		}
	}
	half := width * height / 4
	for y := range height / 2 {
		for x := range width / 2 {
			u, v := byte(100+x*80/width), byte(100+y*80/height)
			if y*2 < p.strip() {
				u, v = 128, 128 // the strip has no colour
			}
			chroma[y*width/2+x], chroma[half+y*width/2+x] = u, v
		}
	}
	p.frame = make([]byte, len(p.ground))
	return p
}

func (p *picture) strip() int { return p.height / stampHeight * stampRows }

// draw returns frame n as of wall. The next call overwrites it.
func (p *picture) draw(wall time.Time, n int) []byte {
	copy(p.frame, p.ground)
	bits := stampBits(wall, n)
	rowHeight := p.height / stampHeight
	for i := range stampColumns * stampRows {
		shade := byte(16)
		if bits[i/8]>>(7-i%8)&1 == 1 {
			shade = 235
		}
		left, right := i%stampColumns*p.width/stampColumns, (i%stampColumns+1)*p.width/stampColumns
		p.fill(left, i/stampColumns*rowHeight, right, (i/stampColumns+1)*rowHeight, shade)
	}
	span := p.width - 48
	x := n * 4 % (2 * span)
	if x > span {
		x = 2*span - x
	}
	p.fill(x, p.height*6/10, x+48, p.height*6/10+48, 225)
	return p.frame
}

func (p *picture) fill(x0, y0, x1, y1 int, shade byte) {
	for y := y0; y < y1; y++ {
		row := p.frame[y*p.width+x0 : y*p.width+x1]
		for i := range row {
			row[i] = shade
		}
	}
}
