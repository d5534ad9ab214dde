package document

import (
	_ "embed"
	"fmt"
	"sync"

	"github.com/signintech/gopdf"
)

// The fonts of PDF documents; fonts/README.md says where they come from and which
// characters they have.
var (
	//go:embed fonts/OpenSans-Regular.ttf
	openSansRegular []byte
	//go:embed fonts/OpenSans-Semibold.ttf
	openSansSemibold []byte
	//go:embed fonts/WenQuanYiMicroHei-CJK.ttf
	microHei []byte
)

// A font is one of the program's fonts. It is made once and never changes.
type font struct {
	name   string
	parsed *gopdf.SubsetFontObj
	glyphs []uint16 // of the characters up to U+FFFF; 0: none
	widths []uint16 // of the same, in thousandths of the size
	kerned bool
}

// mostCharacters is how many characters of Unicode a font is asked for, the first:
// gopdf cannot say in a PDF what glyphs of others mean.
const mostCharacters = 1 << 16

var (
	regular  = sync.OnceValue(func() *font { return mustFont("CREDIT+OpenSans", openSansRegular, true) })
	semibold = sync.OnceValue(func() *font { return mustFont("CREDIT+OpenSans-Semibold", openSansSemibold, true) })
	cjk      = sync.OnceValue(func() *font { return mustFont("CREDIT+WenQuanYiMicroHei", microHei, false) })

	// latin holds the fonts that every document needs, parsed.
	latin = sync.OnceValue(func() *gopdf.FontContainer {
		container := &gopdf.FontContainer{}
		for _, f := range []*font{regular(), semibold()} {
			data := openSansRegular
			if f == semibold() {
				data = openSansSemibold
			}
			if err := container.AddTTFFontDataWithOption(f.name, data, gopdf.TtfOption{UseKerning: true}); err != nil {
				panic(fmt.Sprintf("font %s: %v", f.name, err)) // it is the program's own
			}
		}
		return container
	})
)

// mustFont reads a font of the program's own: one that cannot be read is a programming
// error and panics.
func mustFont(name string, data []byte, kerned bool) *font {
	f := &font{name: name, parsed: &gopdf.SubsetFontObj{}, glyphs: make([]uint16, mostCharacters), widths: make([]uint16, mostCharacters), kerned: kerned}
	f.parsed.SetTtfFontOption(gopdf.TtfOption{UseKerning: kerned})
	if err := f.parsed.SetTTFData(data); err != nil {
		panic(fmt.Sprintf("font %s: %v", name, err))
	}
	for r := range f.glyphs {
		if glyph, err := f.parsed.CharCodeToGlyphIndex(rune(r)); err == nil && glyph != 0 {
			f.glyphs[r], f.widths[r] = uint16(glyph), uint16(f.parsed.GlyphIndexToPdfWidth(glyph))
		}
	}
	return f
}

func (f *font) has(r rune) bool { return r >= 0 && r < mostCharacters && f.glyphs[r] != 0 }

// kern is how much farther b stands from a than their widths say, in thousandths of
// the size; mostly less than nothing. Both must be the font's.
func (f *font) kern(a, b rune) int {
	if !f.kerned {
		return 0
	}
	found, pairs := f.parsed.KernValueByLeft(uint(f.glyphs[a]))
	if !found {
		return 0
	}
	_, units := pairs.ValueByRight(uint(f.glyphs[b]))
	return int(units) * 1000 / int(f.parsed.GetTTFParser().UnitsPerEm())
}
