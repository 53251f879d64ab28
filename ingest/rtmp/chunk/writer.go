package chunk

import "encoding/binary"

// Append appends m to b in chunks of the given size, the first with a full header and the others with
// none (types 0 and 3), and returns b. The chunk stream's ID must be from 2 to 63.
func Append(b []byte, id uint8, size int, m Message) []byte {
	time := min(m.Timestamp, extended)
	b = append(b, id, byte(time>>16), byte(time>>8), byte(time))
	n := len(m.Data)
	b = append(b, byte(n>>16), byte(n>>8), byte(n), m.Type)
	b = binary.LittleEndian.AppendUint32(b, m.Stream)
	for data := m.Data; ; {
		if time == extended {
			b = binary.BigEndian.AppendUint32(b, m.Timestamp)
		}
		n := min(size, len(data))
		b = append(b, data[:n]...)
		if data = data[n:]; len(data) == 0 {
			return b
		}
		b = append(b, 3<<6|id)
	}
}
