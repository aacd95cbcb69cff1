int speak(void)
{
    return printf("the surface may print\n");
}
