c=/usr/bin/convert
$c -size 200x100 gradient:red-blue -fill white -draw 'rectangle 50,20 150,80' a.png
answer size 200x100 "$(identify -format %wx%h a.png)"
$c a.png -resize 50% -rotate 90 -blur 0x1 b.jpg && answer turned 50x100 "$(identify -format %wx%h b.jpg)"
$c a.png -colorspace Gray -format '%[fx:mean]\n' info: | cut -c1-5
answer pixel 'white' "$($c a.png -format '%[pixel:p{100,50}]' info: | sed 's/srgb(255,255,255)/white/;s/#FFFFFF/white/')"
$c -size 64x64 xc:black xc:white -delay 10 -loop 0 anim.gif && identify anim.gif | wc -l
$c a.png \( +clone -flip \) -append -depth 8 rgb:- | md5sum
mogrify -path . -format bmp a.png && identify -format "%m %wx%h\n" a.bmp
