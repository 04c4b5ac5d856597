listening 8080
exec ./prog get
